"""The queue where trainings are ordered: one trains at a time, the others wait for their turn.

Each training is a process of its own, `python -m aigc_demo train ...`, that outlives the server if it must:
what there is to know about it stands in its run directory, and the next server's queue finds it there.
Whoever ordered a run may stop, resume and delete it; anybody may watch.
"""

import contextlib
import logging
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from aigc_demo.core.bounds import size
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.files.atomic import disk_errors
from aigc_demo.core.files.unfinished import IMAGES, remove_leftovers, writer_mark
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.zip_files import unpack_images
from aigc_demo.data.text.encodings import decode_text
from aigc_demo.studio.runs.export.archive import import_run
from aigc_demo.studio.runs.export.archive_files import MAX_BYTES
from aigc_demo.studio.runs.job import Job, hashed, train_arguments
from aigc_demo.studio.runs.order import RunOrder
from aigc_demo.studio.runs.workers import STOP_SECONDS, QueueRules, RunWorkers, ask_to_stop
from aigc_demo.studio.visitors.admission import (
    Asked,
    asked_minutes,
    expected,
    expected_again,
    minutes_left,
)
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.training_switch import check_training_is_on
from aigc_demo.studio.visitors.visitor import Sessions

TEND_SECONDS = 0.3
SOURCE_FILE, IMAGES_FOLDER = "source.txt", "pictures"

log = logging.getLogger(__name__)


class RunQueue(RunWorkers):
    """Takes the orders of visitors, looks after their workers, and remembers who ordered what.

    Args:
        folder: where the runs are; made when the first is ordered.
        rules: how it works.
        limits: of the host; by default those of a classroom.

    Attributes:
        sessions: which visitor is at which session of the page.
    """

    def __init__(self, folder: Path, rules: QueueRules | None = None, limits: Limits | None = None):
        super().__init__(folder, rules or QueueRules(), limits or Limits())
        self.sessions = Sessions()
        self._importing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._folder_lock: FileLock | None = None

    # ---- opening and closing

    def open(self) -> None:
        """Look after the runs from now on, those that an earlier server started included."""
        if self._thread is None:
            self._closed.clear()
            self._thread = threading.Thread(target=self._tend_on, name="run-queue", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop all workers with a checkpoint; who takes longer than five seconds goes on alone."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            if self._folder_lock is None:
                return
            notes = [answer.value for _, _, answer in self._notes.at_stage("started")]
            workers = [worker for note in notes if (worker := note.process) is not None]
            for worker in workers:
                ask_to_stop(worker)
            psutil.wait_procs([worker for worker in workers if worker.is_running()], timeout=STOP_SECONDS)
            self._tend()
            self._folder_lock.release()
            self._folder_lock = None

    # ---- what visitors do

    def order(
        self,
        recipe: str,
        source: str,
        *,
        secret: str,
        budget: Sequence[str],
        seed: int = 0,
        settings: Sequence[str] = (),
        init: str | None = None,
        text: bytes | None = None,
        images: Path | None = None,
        address: str = "",
        shared: bool | None = None,
    ) -> str:
        """Put a training at the end of the queue; it starts at once where nothing else trains.

        Args:
            recipe: what to train.
            source: what on; not used where a text or images are given.
            secret: of the visitor.
            budget: as on the command line: ("--steps", "200") or ("--minutes", "3").
            seed: of everything random.
            settings: name=value each.
            init: a model to go on from.
            text: the visitor's own, which then is the source.
            images: a zip file of the visitor's own, likewise.
            address: of the visitor's network, as far as it is known.
            shared: whether others may see it and use its model; None for what the host says.

        Returns:
            The run's name.

        Raises:
            InputError: training is switched off; it needs more than this host gives to a run; this visitor,
                this address, or all of them have enough runs, minutes or disk; or the zip file is none that
                is taken.
            DemoError: the disk does not take it.
        """
        check_training_is_on()
        minutes = asked_minutes(budget, self.limits)
        asked = Asked(secret, address, minutes, goes_on_from=init)
        self._check(asked)  # before anything that takes time
        with contextlib.ExitStack() as unpacking:
            # Before the lock is taken: unpacking may last, and nobody else shall wait for it.
            unpacked = None if images is None else unpacking.enter_context(self._unpacked(images))
            own = len(text or b"") + (0 if unpacked is None else size(unpacked))
            words = None if text is None else decode_text(text, "text").text
            disk_mib, memory_mib = expected(recipe, settings, own, words, init)
            asked = replace(asked, disk_mib=disk_mib, memory_mib=memory_mib)
            with self._lock:
                self._check(asked)
                name = f"{recipe}-{time.strftime('%m%d-%H%M%S')}-{secrets.token_hex(2)}"
                folder = self.folder / name
                self._usage.note(name, address, minutes, disk_mib)
                try:
                    own_source = _write_source(folder, text, unpacked)
                    arguments = train_arguments(
                        recipe,
                        own_source or source,
                        folder,
                        budget=budget,
                        seed=seed,
                        settings=settings,
                        init=init,
                    )
                    kept = self.limits.share_runs if shared is None else shared
                    Job(hashed(secret), tuple(arguments), "waiting", time.time(), shared=kept).save(folder)
                except BaseException:  # a disk that is full: nothing half made, and nothing counted
                    shutil.rmtree(folder, ignore_errors=True)
                    self._usage.took(name, 0.0)
                    raise
                self._tend()
                return name

    @contextlib.contextmanager
    def _unpacked(self, images: Path) -> Iterator[Path]:
        """A visitor's images in a folder that is gone afterwards, unless it was moved to a run."""
        marked = IMAGES + writer_mark()
        with disk_errors(self.folder), tempfile.TemporaryDirectory(prefix=marked, dir=self.folder) as place:
            unpacked = Path(place) / IMAGES_FOLDER
            unpack_images(images, unpacked)
            yield unpacked

    def bring(self, source: Path, secret: str, address: str = "", shared: bool | None = None) -> str:
        """Take a run that was exported before, as the visitor's own; returns its new name.

        Raises:
            InputError: the file is none, or there is no room for it.
            DemoError: the disk does not take it.
        """
        asked = Asked(secret, address, disk_mib=size_of(source) / 2**20, trains=False)
        kept = self.limits.share_runs if shared is None else shared
        with self._importing:  # one at a time: what is left is for this one
            self._check(asked)
            room_bytes = min(MAX_BYTES, int(min(self._admission.room_mib(asked), 2**20) * 2**20))
            name = import_run(source, self.folder, secret, room_bytes, shared=kept)
            self._usage.note(name, address, 0.0)
        return name

    def _check(self, asked: Asked) -> None:
        with self._lock:
            self._lock_folder()
            self._admission.check(asked)

    def stop(self, name: str, secret: str) -> None:
        """End a run with a checkpoint; one that waits is taken out of the queue.

        Raises:
            InputError: there is no such run, or it is another visitor's.
        """
        with self._lock:
            folder, job = self._own(name, secret)
            if job.stage == "waiting":
                job.changed(folder, stage="ended", since=time.time(), stopping=True)
                self._usage.took(name, job.spent_minutes)
            elif worker := job.worker(folder):
                job.changed(folder, stopping=True)
                if worker.process:
                    ask_to_stop(worker.process)

    def resume(self, name: str, secret: str, address: str = "") -> None:
        """Put a run that has ended before its end into the queue again.

        Raises:
            InputError: training is switched off; no such run, another visitor's, one under way, or one
                without a checkpoint to resume.
        """
        check_training_is_on()
        with self._lock:
            self._lock_folder()
            self._tend()  # the end of a worker is seen in its record before it is noted here
            folder, job = self._own(name, secret)
            if job.stage != "ended":
                raise InputError("run_under_way", name=name)
            run = RunDirectory(folder)
            if run.exists() and not run.resumable():
                raise InputError("nothing_to_resume", name=name)
            minutes = minutes_left(job, self.limits)
            if minutes <= 0:
                raise InputError("run_minutes", limit=self.limits.run_minutes)
            disk_mib, memory_mib = expected_again(job, folder)
            asked = Asked(secret, address, minutes, disk_mib, memory_mib, goes_on_from=str(folder))
            self._admission.check(asked)
            arguments = [word for word in job.arguments if word != "--resume"]
            if run.exists():
                arguments.append("--resume")
            self._usage.note(name, address, job.spent_minutes + minutes, disk_mib)
            job.again(arguments).save(folder)
            self._tend()

    def delete(self, name: str, secret: str) -> None:
        """Remove a run that has ended, with all its files.

        Raises:
            InputError: no such run, another visitor's, or one under way.
        """
        with self._lock:
            self._lock_folder()
            self._tend()
            _, job = self._own(name, secret)
            if job.stage != "ended":
                raise InputError("run_under_way", name=name)
        shutil.rmtree(self._put_aside(name), ignore_errors=True)  # a slow disk may take its time here

    def check_size(self, order: RunOrder) -> None:
        """Refuse an order that is larger than any run may be here, as `order` would.

        Raises:
            InputError: it is.
        """
        check_training_is_on()
        words = None if order.text is None else decode_text(order.text, "text").text
        own = len(order.text or b"") + (size_of(order.images) if order.images else 0)
        asked = order.words()
        disk_mib, memory_mib = expected(order.recipe, asked["settings"], own, words, order.init)
        self._admission.check_size(Asked("", disk_mib=disk_mib, memory_mib=memory_mib))

    # ---- looking after

    def _tend_on(self) -> None:
        while not self._closed.wait(TEND_SECONDS):
            try:
                with self._lock:
                    if self.folder.is_dir():
                        self._lock_folder()
                        self._tend()
            except DemoError as error:  # a disk that is full may be free again next time
                log.debug("the queue waits: %s", error)
            except Exception:
                log.exception("the queue stumbled")

    def _lock_folder(self) -> None:
        """Two servers on one folder would both start whoever is next.

        Raises:
            InputError: another server looks after this folder.
        """
        if self._folder_lock is not None:
            return
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".desk.lock")
            try:
                lock.acquire(blocking=False)
            except Timeout as error:
                raise InputError("other_desk", path=str(self.folder)) from error
        self._folder_lock = lock
        # In a thread of its own: a slow disk takes its time, and nobody waits for it.
        threading.Thread(target=remove_leftovers, args=(self.folder,), name="leftovers", daemon=True).start()

    def _own(self, name: str, secret: str) -> tuple[Path, Job]:
        folder = self.run(name).path
        job = Job.load(folder)
        if job is None or not job.belongs_to(secret):
            raise InputError("not_your_run", name=name)
        return folder, job


def _write_source(folder: Path, text: bytes | None, unpacked: Path | None) -> str | None:
    """Make a run's folder with the visitor's own text or images; where they are, None for neither.

    Raises:
        DemoError: the disk does not take them.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True)
        if text is not None:
            (folder / SOURCE_FILE).write_bytes(text)
            return str(folder / SOURCE_FILE)
        if unpacked is not None:
            unpacked.rename(folder / IMAGES_FOLDER)
            return str(folder / IMAGES_FOLDER)
    return None


def size_of(source: Path) -> int:
    """Bytes of a file; 0 where it cannot be looked at."""
    with contextlib.suppress(OSError, ValueError):
        return source.stat().st_size
    return 0
