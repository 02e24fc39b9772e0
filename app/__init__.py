"""The command line and, in time, the window: the only folder that speaks to people."""
