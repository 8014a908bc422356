"""One file per project of the study; each declares a `PROJECT` and trains nothing."""
