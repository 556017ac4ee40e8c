"""The machine around us: the clock, folders, writing of files, versions."""
