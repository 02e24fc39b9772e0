"""Learns nothing, and says what a training would: steps every few milliseconds, weights and pictures that are none.

Takes the words of app.learning_child, and after them a way to fail: ``--fault WORD``.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

PICTURE = b"P6 64 32 255\n" + bytes(range(256)) * 24
STEPS = 400


def say(word, **parts):
    sys.stdout.write(json.dumps({"say": word, **parts}) + "\n")
    sys.stdout.flush()


def main():
    words = sys.argv[1:]
    fault = words[words.index("--fault") + 1] if "--fault" in words else ""
    out = Path(words[words.index("--out") + 1])
    if words[0] == "keep":
        if fault == "keep":
            say("failed", name="weights", sentence="the disk is full", next_step="free some space")
            return 1
        say("kept", name=words[words.index("--name") + 1])
        return 0
    asked, may_go = threading.Event(), threading.Event()

    def listen():
        for line in sys.stdin:
            if line.strip() == "go":
                may_go.set()
        asked.set()
        may_go.set()

    threading.Thread(target=listen, daemon=True).start()
    sys.stdout.write("a library prints this\n")
    if fault == "start":
        say("failed", name="picture.png", sentence="there is no such file", next_step="check the path")
        return 1
    step = 0
    if "--resume" in words:
        step = max(int(path.stem[5:]) for path in (out / "checkpoints").iterdir())
    else:
        say("estimate", seconds=2100.0, is_slow=fault != "quick")
        if fault != "quick":
            may_go.wait()
        if asked.is_set():
            say("end", reason="stopped", step=0, steps=0)
            return 0
    if "--resume" in words:
        say("estimate", seconds=1000.0, is_slow=True)
    steps = 20 if fault == "short" else STEPS
    (out / "options.json").write_text(json.dumps({"train": {"steps": steps}}))
    while step < steps and not asked.is_set():
        step += 1
        say("step", step=step, steps=steps)
        if step % 5 == 0:
            save(out, step)
            say("weights")
            say("picture", path=str(out / "snapshot.ppm"))
            say("measure", loss=40.0 / step, seconds_left=600.0)
        if fault == "die" and step == 12:
            os._exit(9)
        time.sleep(0.01)
    save(out, step)
    say("weights")
    say("end", reason="stopped" if step < steps else "finished", step=step, steps=steps)
    return 0


def save(out, step):
    (out / "checkpoints").mkdir(exist_ok=True)  # fails where the folder is gone, as a training does
    (out / "checkpoints" / f"step-{step:09d}.pt").write_bytes(b"")
    (out / "retarget.safetensors").write_bytes(b"weights of step %d" % step)
    (out / "snapshot.ppm").write_bytes(PICTURE)
