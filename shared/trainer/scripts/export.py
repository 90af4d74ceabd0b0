"""Script of the export jobs."""

from trainer.export import main

raise SystemExit(main())
