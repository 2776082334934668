"""Before, while and after jobs run: who is at work here, whether stores are sound, the warm process."""

from lotus.engine import warm
from lotus.engine.asking import MODELS, RESULTS
from lotus.plan import damaged_stores, presence
from lotus.plan.description import part_counts
from lotus.plan.project_folder import keep_strangers_out, others_at_work
from lotus.records.kept_sources import read_ahead_by_memory

# Jobs have the umask from here.
keep_strangers_out()

OWN_LOTUS = jobs.launcher(Path(workflow.basedir), in_conda=False)
if workflow.is_main_process:
    PRESENCE = presence.enter(sys.argv)
    said = [part_counts(PLAN), ON.said, *(PRESENCE.said or others_at_work())]
    logger.info("\n".join(filter(None, said)))
    # Before Snakemake looks what is there: it makes anew what was made of a damaged store.
    mended = read(damaged_stores.mend, STEPS, OWN_LOTUS, sys.argv, PRESENCE.is_alone)
    if mended:
        logger.warning("\n".join(mended))

# A process with the libraries loaded does the jobs of this machine: on a cluster's node, models alone. To
# load them all takes longer than what so few jobs load themselves.
FEW = 3
WARM = warm.WarmProcess(
    LOTUS, layout.log_of("warm"), ON.workers, jobs.modules_of_networks(PLAN)
)
if jobs.is_batch(sys.argv) and not IN_CONDA:
    WARM.serve_children([MODELS])


def load_and_read_ahead():
    """Does what jobs, and the plan, would wait for."""
    if workflow.is_main_process and not IN_CONDA and jobs.has_all_to_do(sys.argv):
        WARM.start([MODELS, RESULTS])
    # Digests of the code are most of what a first plan takes.
    read_ahead_by_memory()


USED = set()


onstart:
    jobs.look_when_jobs_end(workflow)
    jobs.hear_the_end_beside_work()
    PRESENCE.begins(workflow)
    needrun = [*workflow.dag.needrun_jobs()]
    USED.update(damaged_stores.used_by(needrun))
    read(damaged_stores.build_absent, STEPS, OWN_LOTUS, needrun)
    here = [job for job in needrun if workflow.is_local(job.rule)]
    # To touch files is no job.
    if not (IN_CONDA or workflow.touch) and len(here) > FEW:
        shell.prefix(jobs.shell_prefix(LOTUS, WARM.start(jobs.jobs_on(here))))


onsuccess:
    WARM.stop()
    if damaged := damaged_stores.damaged_meanwhile(STEPS, USED, full=True):
        stop(damaged)


onerror:
    WARM.stop()
    if damaged := damaged_stores.damaged_meanwhile(STEPS, USED, full=False):
        logger.error("\n".join(damaged))
