"""The starter base model and dataset of a new studio, and the code that makes them."""
