from pathlib import Path

from heimdex.database.pg_commands import SystemUser, can_reach

OTHER_USER = SystemUser(uid=54321, gid=54321)


def test_every_user_can_reach_a_system_program():
    assert can_reach(OTHER_USER, Path("/usr/bin/env"))


def test_a_closed_directory_above_the_path_blocks_it(tmp_path):
    closed = tmp_path / "closed"
    (closed / "inner").mkdir(parents=True)
    closed.chmod(0o700)
    assert not can_reach(OTHER_USER, closed / "inner")


def test_a_program_that_only_its_owner_may_run_is_out_of_reach(tmp_path):
    program = tmp_path / "program"
    program.touch(mode=0o700)
    owner = program.stat()
    assert not can_reach(OTHER_USER, program)
    assert can_reach(SystemUser(owner.st_uid, owner.st_gid), program)
