"""Which rows a job works on and what text it makes of them: one answer for those who run jobs and
for those who look into them beforehand."""
