"""The project side by side with the usual way to do the same, measured turn by turn on one machine."""
