"""Script of the fine-tuning jobs that train with the studio's own trainer."""

from trainer.commands.fine_tune import main

raise SystemExit(main())
