from pathlib import Path

from heimdex.database.system_user import SystemUser, can_reach

STRANGER = SystemUser(uid=54321, gid=54321)


def test_a_system_program_can_be_reached_by_everybody():
    assert can_reach(STRANGER, Path("/usr/bin/env"))


def test_a_closed_directory_on_the_way_cannot_be_passed(tmp_path):
    closed = tmp_path / "closed"
    (closed / "inner").mkdir(parents=True)
    closed.chmod(0o700)
    assert not can_reach(STRANGER, closed / "inner")


def test_a_program_that_its_owner_alone_may_run_cannot_be_run(tmp_path):
    program = tmp_path / "program"
    program.touch(mode=0o700)
    owner = program.stat()
    assert not can_reach(STRANGER, program)
    assert can_reach(SystemUser(owner.st_uid, owner.st_gid), program)
