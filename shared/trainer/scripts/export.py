"""Script of the export jobs."""

from trainer.commands.export import main

raise SystemExit(main())
