"""Script of the fine-tuning jobs of other frameworks."""

from trainer.commands.fine_tune import main

raise SystemExit(main())
