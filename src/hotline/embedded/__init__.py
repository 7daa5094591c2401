"""Real PostgreSQL and real Redis as child processes, and the supervisor that runs them beside web, worker and beat.

Nothing is installed on the machine and nothing outside the data folder is touched. This package knows nothing of the
rest of Hotline.

    with DataFolder.open(path) as folder, Supervisor(folder) as supervisor:
        postgres, redis = EmbeddedPostgres(folder), EmbeddedRedis(folder)
        supervisor.start(postgres)
        supervisor.start(redis)
        …                                   # migrate postgres.url()
        supervisor.start(Child("web", [...], env={"HOTLINE_DATABASE_URL": postgres.url()}))
        supervisor.run()                    # until Ctrl-C
"""

from hotline.embedded.data_folder import DataFolder, is_in_use
from hotline.embedded.errors import EmbeddedError
from hotline.embedded.ports import check_port
from hotline.embedded.postgres import EmbeddedPostgres
from hotline.embedded.processes import Child, Supervisor
from hotline.embedded.redis_server import EmbeddedRedis

__all__ = [
    "Child",
    "DataFolder",
    "EmbeddedError",
    "EmbeddedPostgres",
    "EmbeddedRedis",
    "Supervisor",
    "check_port",
    "is_in_use",
]
