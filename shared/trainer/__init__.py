"""Code that runs inside a job: training, evaluation and export. It calls the studio through
`ft.client` only."""
