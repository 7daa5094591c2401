"""The reference: the least that a web application must do to log a ticket, in Flask and psycopg.

One ticket, one event and one job row per POST over a kept connection; no authentication, validation, encryption or
idempotency.  It runs under the same gunicorn settings on the same PostgreSQL.
"""

import os
import threading

import psycopg
from flask import Flask, request
from flask.typing import ResponseReturnValue

app = Flask(__name__)
kept = threading.local()


@app.post("/api/v1/tickets")
def log_ticket() -> ResponseReturnValue:
    """Insert the rows and answer with the ticket's number."""
    call = request.get_json()
    if not hasattr(kept, "connection"):
        kept.connection = psycopg.connect(os.environ["BENCH_REFERENCE_DATABASE"])
    with kept.connection.transaction(), kept.connection.cursor() as cursor:
        made = "INSERT INTO ticket (channel, content) VALUES (%s, %s) RETURNING id"
        (ticket,) = cursor.execute(made, (call["channel"], call["content"])).fetchone()
        cursor.execute("INSERT INTO event (ticket_id, kind) VALUES (%s, 'received')", (ticket,))
        cursor.execute("INSERT INTO job (ticket_id, kind) VALUES (%s, 'triage')", (ticket,))
    return {"number": str(ticket)}, 201
