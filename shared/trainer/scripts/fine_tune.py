"""Script of the fine-tuning jobs of other frameworks."""

from trainer.fine_tune import main

raise SystemExit(main())
