"""The recipe for clusters, under a real SLURM: a controller and two nodes on this machine."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import ROOT
from support.children import wait_for
from support.training import SMALL, words

pytestmark = pytest.mark.nightly
# Nodes are named by addresses, which need no name service.
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
StateSaveLocation={folder}
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=127.0.0.[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{second}] CPUs=1 RealMemory=1000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_ports():
    """Three free ports in a row."""
    while True:
        with ExitStack() as held:
            sockets = [held.enter_context(socket.socket()) for _ in range(3)]
            sockets[0].bind(("127.0.0.1", 0))
            first = sockets[0].getsockname()[1]
            try:
                for number in (1, 2):
                    sockets[number].bind(("127.0.0.1", first + number))
            except (OSError, OverflowError):
                continue
            return first, first + 1, first + 2


@pytest.fixture(scope="module")
def cluster(subprocess_env):
    """The environment of a user of the cluster."""
    programs = ("munged", "slurmctld", "slurmd", "sbatch")
    search = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
    if os.geteuid() or not all(shutil.which(program, path=search) for program in programs):
        pytest.skip("Debian's slurm-wlm and munge are not installed, or this is not root")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # a socket's path must be short
    control, first, second = free_ports()
    config = {"host": socket.gethostname(), "folder": folder, "control": control, "first": first, "second": second}
    (folder / "slurm.conf").write_text(CONFIG.format(**config))
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    env = subprocess_env | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{subprocess_env['PATH']}:/usr/sbin"}
    files = {name: str(folder / f"munge.{name}") for name in ("socket", "pid", "log", "seed", "key")}
    munged = ["munged", "--foreground", "--force", "--socket", files["socket"], "--key-file", files["key"]]
    munged += ["--pid-file", files["pid"], "--log-file", files["log"], "--seed-file", files["seed"]]
    daemons = [munged, ["slurmctld", "-D", "-c"], *(["slurmd", "-D", "-N", f"127.0.0.{n}"] for n in (1, 2))]
    with (folder / "log").open("w") as log, ExitStack() as running:
        for daemon in daemons:
            process = running.enter_context(subprocess.Popen(daemon, env=env, stdout=log, stderr=log))
            running.callback(process.terminate)
            wait_for((folder / "munge.socket").exists)
        wait_for(lambda: asked(env, "sinfo", "--noheader", "--format", "%D %T") == "2 idle")
        yield env
    shutil.rmtree(folder)


def asked(env, *command):
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True).stdout.strip()


def test_a_run_on_two_nodes_stops_before_its_time_is_up_and_resumes(cluster, parquet, tmp_path):
    options = words(recipe="unet", dataset=parquet, output_dir=tmp_path / "runs", **SMALL)
    options += ["--unet.no-pretrained", "--max-train-steps", "60", "--checkpointing-steps", "4"]
    env = cluster | {"MIXED_PRECISION": "no"}

    def submit(log):
        line = ["sbatch", "--parsable", "--nodes", "2", "--output", str(log), "recipes/slurm.sbatch", *options]
        return asked(env, *line)

    def state(job):
        return asked(env, "squeue", "--noheader", "--job", job, "--states", "all", "--format", "%T")

    stopped = submit(tmp_path / "stopped.log")
    wait_for(lambda: any((tmp_path / "runs/checkpoints/unet").glob("step-00000001*")), 120)
    assert state(stopped) == "RUNNING", (tmp_path / "stopped.log").read_text()
    subprocess.run(["scancel", "--signal", "TERM", stopped], env=env, check=True)  # as SLURM does before the time is up
    wait_for(lambda: state(stopped) == "FAILED", 60)
    assert "stopped and saved at step" in (tmp_path / "stopped.log").read_text()
    resumed = submit(tmp_path / "resumed.log")
    wait_for(lambda: state(resumed) not in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING"), 240)
    log = (tmp_path / "resumed.log").read_text()
    assert state(resumed) == "COMPLETED" and "unet: resumes at step" in log, log
    (stage,) = json.loads((tmp_path / "runs/unet/training.json").read_text())["stages"]
    assert stage["processes"] == 2 and stage["steps_done"] == 60


def test_without_options_it_says_how_it_is_used():
    done = subprocess.run(["bash", "recipes/slurm.sbatch"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "sbatch --nodes 2 --gpus-per-node 4 recipes/slurm.sbatch" in done.stderr
