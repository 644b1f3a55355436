import socket

from heimdex.database.server import pick_port
from heimdex.environment import Environment
from heimdex.queue import QUEUES
from heimdex.services.definitions import define_services


def test_there_is_a_web_server_and_one_cluster_per_queue(tmp_path):
    web, *clusters = define_services(Environment(home=tmp_path), 8123)
    assert web.command[web.command.index("--bind") + 1] == "127.0.0.1:8123"
    assert [cluster.environment["Q_CLUSTER_NAME"] for cluster in clusters] == list(QUEUES)
    assert {service.environment["HEIMDEX_HOME"] for service in (web, *clusters)} == {str(tmp_path)}
    # URLs that the services build must use the port that the web server really has.
    assert {service.environment["HEIMDEX_WEB_PORT"] for service in (web, *clusters)} == {"8123"}


def test_a_port_in_use_gives_the_next_one():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert pick_port(taken) != taken
