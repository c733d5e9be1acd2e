"""The demo's worker with its timetable. While the chain's past is still being written it loads all it needs, and begins with the
line that says so: `python -m config.demo.worker SCHEDULE`."""

import sys

from config.celery import app, import_handlers


def main(schedule: str) -> None:
    app.loader.import_default_modules()
    import_handlers()
    if not sys.stdin.readline():
        sys.exit("the demo ended before there was anything to do")
    app.worker_main(["worker", "-B", "--concurrency", "2", "--loglevel", "warning", "--schedule", schedule])


if __name__ == "__main__":
    main(sys.argv[1])
