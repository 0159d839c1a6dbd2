"""A stand-in for agent.jar: takes the options of the real one, connects to nothing, and stays."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

MAIN = r"""
import java.nio.file.*;
import java.util.*;

public class Main {
    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        boolean socket = false;
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("-webSocket")) socket = true;
            else options.put(args[i], args[++i]);
        }
        String secret = options.get("-secret");
        if (!secret.startsWith("@")) throw new IllegalArgumentException("the secret is an argument");
        secret = new String(Files.readAllBytes(Paths.get(secret.substring(1)))).trim();
        Path logs = Paths.get(options.get("-workDir"), "remoting", "logs");
        Files.createDirectories(logs);
        Files.write(logs.resolve("remoting.log"), "INFO: Connected\n".getBytes());
        System.out.println("Connected " + options.get("-name") + " to " + options.get("-url") + (socket ? " by web socket" : " by tcp")
            + " with a secret of " + secret.length() + " letters, version " + VERSION);
        Thread.sleep(Long.MAX_VALUE);
    }
    static final int VERSION = @VERSION@;
}
"""


def agent_jar(cache: Path, version: int) -> Path:
    """The jar, compiled once per text."""
    text = MAIN.replace("@VERSION@", str(version))
    done = cache / f"agent-{hashlib.sha256(text.encode()).hexdigest()[:12]}.jar"
    if not done.exists():
        folder = cache / f"{done.stem}.sources"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "Main.java").write_text(text, "utf-8")
        subprocess.run(["javac", "--release", "11", "-d", str(folder), str(folder / "Main.java")], check=True, capture_output=True)
        subprocess.run(["jar", "cfe", f"{done}.part", "Main", "-C", str(folder), "."], check=True, capture_output=True)
        Path(f"{done}.part").rename(done)
        shutil.rmtree(folder)
    return done
