"""What the tabs show: each view counts, draws and writes its own code line."""
