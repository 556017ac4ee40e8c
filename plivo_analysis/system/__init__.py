"""The computer and the process: the clock, folders, writing of files, versions."""
