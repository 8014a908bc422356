"""The experiments of the report: what to train, on what, and how."""
