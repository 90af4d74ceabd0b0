"""Script of the evaluation jobs."""

from trainer.commands.evaluate import main

raise SystemExit(main())
