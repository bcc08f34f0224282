"""What the comparison ran on."""

import os
import pathlib
import platform
import re
import subprocess


def field(path, pattern):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def file_system(folder):
    done = subprocess.run(["stat", "--file-system", "--format=%T", str(folder)], capture_output=True,
                          text=True, check=False)
    return done.stdout.strip() or "unknown"


def describe(scratch):
    memory_kib = int(field("/proc/meminfo", r"^MemTotal:\s+(\d+)") or 0)
    return {
        "cpu": field("/proc/cpuinfo", r"^model name\s*:\s*(.+)$") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory_kib / 1024 / 1024),
        "system": field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]+)') or platform.system(),
        "kernel": platform.release(),
        "file_system": file_system(scratch),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def others_running(names=("parleyd", "lua5.4", "beam.smp")):
    """Processes of this machine that look like one of the servers, as "name (pid)"."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            name = field(entry / "comm", r"^(.*)$")
            if name in names and field(entry / "status", r"^State:\s+(\w)") != "Z":
                found.append(f"{name} ({entry.name})")
    return found
