"""What the artifact store costs beside obstore alone and s3fs: one file of 1 GB, and 2,000 small ones.

    python benchmarks/stores.py                one SeaweedFS, three counted rounds
    python benchmarks/stores.py --rounds 5

Each transfer is a process of its own. In a round every client does the same after the other, so that a busy machine or
a slow disk is shared; a ratio is of one round's seconds, and the median of the rounds is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "engines"))
S3FS = ("s3fs==2026.9.0", "obstore")
MEASURES = ("big", "small")
SMALL, SMALL_BYTES, BIG_BYTES = 2000, 10_000, 1 << 30

TRANSFER = """
import asyncio, json, resource, sys, time
from pathlib import Path

client, what = sys.argv[1:3]
folder, out, options = Path(sys.argv[3]), Path(sys.argv[4]), json.loads(sys.argv[5])
files = sorted(folder.iterdir())
prefix = f"{what.partition('-')[0]}/{client}"
up = what.endswith("up")
AT_ONCE = 16


def crossdock():
    from crossdock_runtime.store import Store

    store = Store.open(f"s3://{options['bucket']}", {**options["own"], "allow_http": "true"})
    keys = {f"{prefix}/{path.name}": path for path in files}
    if up:
        return lambda: store.upload_all(keys)
    back = {key: out / path.name for key, path in keys.items()}
    sizes = {key: path.stat().st_size for key, path in keys.items()}
    return lambda: list(store.download_all(back, sizes))


def obstore():
    import obstore
    from obstore.store import S3Store

    store = S3Store(options["bucket"], config=options["own"], client_options={"allow_http": True})

    async def one(path, turn):
        async with turn:
            key = f"{prefix}/{path.name}"
            if up:
                await obstore.put_async(store, key, path)
            else:
                with (out / path.name).open("wb") as file:
                    async for piece in (await obstore.get_async(store, key)).stream():
                        file.write(piece)

    async def all_():
        turn = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(one(path, turn) for path in files))

    return lambda: asyncio.run(all_())


def s3fs():
    import s3fs

    own = options["own"]
    system = s3fs.S3FileSystem(
        key=own["access_key_id"], secret=own["secret_access_key"], endpoint_url=own["endpoint"],
        client_kwargs={"region_name": "us-east-1"},
    )
    ours = [str(path) for path in files]
    theirs = [f"{options['bucket']}/{prefix}/{path.name}" for path in files]
    if up:
        return lambda: system.put(ours, theirs)
    return lambda: system.get(theirs, [str(out / path.name) for path in files])


act = {"crossdock": crossdock, "obstore": obstore, "s3fs": s3fs}[client]()
began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
act()
end = resource.getrusage(resource.RUSAGE_SELF)
if not up:
    assert [path.stat().st_size for path in files] == [(out / path.name).stat().st_size for path in files]
cpu = end.ru_utime + end.ru_stime - used.ru_utime - used.ru_stime
# ru_maxrss begins with that of the process that started this one.
mb = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024
print(json.dumps({"wall": time.perf_counter() - began, "cpu": cpu, "mb": mb}))
"""


def s3fs_python() -> Path:
    """An interpreter of an environment with s3fs; made once."""
    from docker_engine import CACHE

    folder = CACHE / f"s3fs-py{sys.version_info.major}.{sys.version_info.minor}"
    if not folder.exists():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *S3FS], check=True)
    return folder / "bin" / "python"


def transfer(client: str, what: str, folder: Path, out: Path, options: dict[str, object]) -> dict[str, float]:
    """One transfer in a process of its own."""
    for file in out.iterdir():  # a file that is there is quicker to write over than a new one is to make
        file.unlink()
    python = s3fs_python() if client == "s3fs" else Path(sys.executable)
    words = [client, what, str(folder), str(out), json.dumps(options)]
    done = subprocess.run([python, "-c", TRANSFER, *words], capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{client} {what} ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="big|small")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rounds: int = given.rounds
    import stores

    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        for folder in ("server", "big", "small", "out"):
            (top / folder).mkdir()
        block = os.urandom(1 << 20)
        with (top / "big" / "one").open("wb") as file:
            for _ in range(BIG_BYTES >> 20):
                file.write(block)
        for number in range(SMALL):
            (top / "small" / f"{number:04d}").write_bytes(block[number : number + SMALL_BYTES])
        with stores.seaweedfs(top / "server") as port:
            keys = {"access_key_id": stores.KEYS[0], "secret_access_key": stores.KEYS[1], "region": "us-east-1"}
            options: dict[str, object] = {
                "bucket": stores.BUCKET, "own": {"endpoint": f"http://127.0.0.1:{port}", **keys},
            }  # fmt: skip
            print(f"{'':<12}{'client':<11}{'seconds':>9}{'CPU':>8}{'MB':>6}{'/obstore':>10}")
            for what in (f"{size}-{way}" for size in given.measures or MEASURES for way in ("up", "down")):
                folder = top / ("big" if what.startswith("big") else "small")
                clients = ("obstore", "crossdock", "s3fs")
                seen: dict[str, list[dict[str, float]]] = {client: [] for client in clients}
                for turn in range(rounds + 1):
                    for client in clients[turn % 3 :] + clients[: turn % 3]:
                        found = transfer(client, what, folder, top / "out", options)
                        if turn:  # the first round fills caches
                            seen[client].append(found)
                for client in clients:
                    middle = {key: statistics.median(one[key] for one in seen[client]) for key in ("wall", "cpu", "mb")}
                    pairs = zip(seen[client], seen["obstore"], strict=True)
                    ratio = statistics.median(one["wall"] / other["wall"] for one, other in pairs)
                    print(
                        f"{what.replace('-', ' '):<12}{client:<11}{middle['wall']:>9.2f}{middle['cpu']:>8.2f}"
                        f"{middle['mb']:>6.0f}{ratio:>10.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
