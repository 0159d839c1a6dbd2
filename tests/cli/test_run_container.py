"""``cibus run --on container:IMAGE`` and ``run_on``, with real containers."""

from __future__ import annotations

from containers import IMAGE, needs_podman
from repos import MakeRepo

SCRIPT = """
node {
  writeFile file: 'from-here', text: 'hello'
  sh 'test -f /run/.containerenv && echo inside of a container'
  sh 'cat from-here; echo made > from-there; pwd > where'
  echo "read: ${readFile('from-there').trim()}"
  if (pwd() != readFile('where').trim()) { error 'another folder' }
  def code = sh(returnStatus: true, script: 'exit 9')
  echo "code: $code, said: ${sh(returnStdout: true, script: 'echo word').trim()}"
  stash name: 's', includes: 'from-there'
}
node { unstash 's'; sh 'cat from-there; exit 3' }
"""


@needs_podman
def test_all_nodes_in_a_container(make_repo: MakeRepo) -> None:
    done = make_repo(SCRIPT).cibus("run", "--inline", "--format", "jenkins", "--on", f"container:{IMAGE}", CIBUS_CONTAINERS="podman")
    assert done.returncode == 1, done.stdout + done.stderr
    for words in ("inside of a container", "read: made", "code: 9, said: word", "+ cat from-there\nmade\n", "script returned exit code 3"):
        assert words in done.stdout


@needs_podman
def test_an_agent_of_the_configuration_is_a_container(make_repo: MakeRepo) -> None:
    toml = f'[agents.box]\nlabels = ["boxed"]\nrun_on = "container:{IMAGE}"\n'
    repo = make_repo("node('boxed') { sh 'test -f /run/.containerenv' }\nnode { sh '! test -f /run/.containerenv' }\n", {"cibus.toml": toml})
    done = repo.cibus("run", "--inline", "--format", "jenkins", CIBUS_CONTAINERS="podman")
    assert done.returncode == 0, done.stdout + done.stderr
