import socket

from heimdex.database.ports import pick_port
from heimdex.environment import Environment
from heimdex.queue import QUEUES
from heimdex.services.catalogue import services


def test_there_is_a_web_server_and_one_cluster_for_each_queue(tmp_path):
    web, *clusters = services(Environment(home=tmp_path, web_threads=3), 8123)
    assert [web.command[web.command.index(option) + 1] for option in ("--bind", "--threads")] == ["127.0.0.1:8123", "3"]
    assert [cluster.environment["Q_CLUSTER_NAME"] for cluster in clusters] == list(QUEUES)
    assert {service.environment["HEIMDEX_HOME"] for service in (web, *clusters)} == {str(tmp_path)}
    # Links that the services make must lead to the port that was really taken.
    assert {service.environment["HEIMDEX_WEB_PORT"] for service in (web, *clusters)} == {"8123"}


def test_a_taken_port_gives_the_next_one():
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        assert pick_port(taken) != taken
