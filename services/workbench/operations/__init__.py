"""The operations of the API, each a function named as the API description names it."""
