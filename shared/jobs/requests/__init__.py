"""Parts that the requests of all job domains share: arguments, configs, numbers, repetition."""
