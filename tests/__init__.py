"""Tests of both packages; what several of them need stands here and in `conftest.py`."""
