"""Script of the evaluation jobs."""

from trainer.evaluate import main

raise SystemExit(main())
