"""The machine: its resources, its interpreter for jobs, its accelerator labels."""
