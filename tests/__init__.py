"""Tests of the whole studio, and what tests share."""
