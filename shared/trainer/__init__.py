"""What runs inside a job: training and evaluation. It meets the studio only through `ft.client`."""
