"""`python -m flows.server.work_pool`: the work pool of the deployments, made or put right."""

from flows.server.job_template import job_template
from flows.shipped import working_folders

POOL = "digits"


def make_pool() -> None:
    """Have the server keep the pool with our job template; a limit that somebody gave it stays."""
    # Imported here: Prefect reads its settings from the environment when it is imported.
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
    from prefect.exceptions import ObjectAlreadyExists

    template = job_template(working_folders()[0])
    pool = WorkPoolCreate(name=POOL, type="process", base_job_template=template)
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(pool)
        except ObjectAlreadyExists:
            client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))


if __name__ == "__main__":
    make_pool()
