import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

from engine.quiet import libraries_silenced

ROOT = Path(__file__).resolve().parents[2]


def test_what_goes_past_python_is_kept_off_the_screen(capfd):
    os.write(2, b"before\n")
    with libraries_silenced():
        os.write(2, b"a library speaks\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_blocks_of_several_threads_overlap(capfd):
    first, second = threading.Event(), threading.Event()

    def early():
        with libraries_silenced():
            first.set()
            second.wait(5)

    thread = threading.Thread(target=early)
    thread.start()
    first.wait(5)
    with libraries_silenced():
        second.set()
        thread.join()
        os.write(2, b"a library speaks\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_an_error_in_the_block_opens_the_way_again(capfd):
    try:
        with libraries_silenced():
            raise ValueError
    except ValueError:
        pass
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_what_libraries_log_is_not_printed():
    code = """
        import logging
        from engine.quiet import libraries_silenced
        with libraries_silenced():
            pass
        logging.getLogger("PIL.TiffImagePlugin").error("More samples per pixel than can be decoded")
        logging.getLogger("tifffile").error("an odd tag")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_process_without_standard_error_keeps_its_files_apart(tmp_path):
    """The number 2 belongs to the first file that is opened then; it must not be turned away."""
    code = f"""
        import os
        from engine.quiet import libraries_silenced
        file = os.open({str(tmp_path / "a")!r}, os.O_WRONLY | os.O_CREAT)
        with libraries_silenced():
            os.write(file, b"ours")
    """
    command = f"exec {sys.executable} -c '{textwrap.dedent(code)}' 2>&-".replace("'/", '"/').replace(
        "/a'", '/a"'
    )
    subprocess.run(["sh", "-c", command], cwd=ROOT, check=True, timeout=60)
    assert (tmp_path / "a").read_bytes() == b"ours"
