"""The order rows alone of `sales_import`: sales, lines and payments of the same file, written slice by slice as the engine writes
them, with none of the effects and with nothing running beside.

Within a whole import the same work shares two cores with the job that folds totals and the server's cache with ten other tables;
that is the import's price, and its own line says what it comes to. Documents are read, looked up and their goods made beforehand;
formatting and COPY count, the commits of either side do not.
"""

from pathlib import Path
from typing import Final

from bench.private import Private

_JOB: Final = """
import gc, sys, time, django
django.setup()
from django.db import transaction
from core import clock
from core.actor import Actor
from sales import services
from sales.models import IntakeDocument, IntakeJob, Sale
from sales.services import import_running
from sales.services.copying import draw_ids, write_rows
from sales.services.import_staging import load_staged
from sales.services.references import References, day_of
from sales.services.writing import NewSale, rows_of_sales
actor = Actor.system("bench")
with open(sys.argv[1], "rb") as stream:
    job_id = services.upload_intake(stream=stream, file_name="bench.csv", kind="order", source="pos", actor=actor)
services.map_intake(job_id=job_id, mapping=IntakeJob.objects.get(pk=job_id).mapping, actor=actor)
services.work_intake(job_id)
job, at, took, count, done = IntakeJob.objects.get(pk=job_id), clock.now(), 0.0, 0, 0
while rows := import_running._staged(job, import_running.SLICE, place__gt=done):
    done = rows[-1].place
    orders = [load_staged(row, kind=job.kind, source=job.source) for row in rows]
    references = References(orders)
    sales = [
        NewSale(order, bytes(row.digest), references.member(order), day_of(min(order.sold_at, at)))
        for order, row in zip(orders, rows)
    ]
    with transaction.atomic():
        references.ensure_products(orders, at=at)
        gc.disable()  # as the engine does for a slice
        began = time.monotonic()
        sale_ids = draw_ids(model=Sale, count=len(sales))
        write_rows(*rows_of_sales(sale_ids=sale_ids, sales=sales, references=references, at=at))
        took += time.monotonic() - began
        gc.enable()
    count += len(sales)
print(count, took)
"""


def rows_alone(private: Private, path: Path, books: tuple[str, ...]) -> tuple[float, float]:
    """How many orders were written to the emptied books, and the seconds their rows took."""
    private.connection.execute(f"TRUNCATE {', '.join(books)}, sales_intakejob RESTART IDENTITY CASCADE")
    private.connection.execute("CHECKPOINT")
    count, took = map(float, private.job(_JOB, str(path)))
    return count, took
