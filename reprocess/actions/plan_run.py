"""Plan a run: say what it would do, without doing it."""

from heimdex.backends import embedder
from reprocess.plan import ChannelPlan, Plan, plan_channel
from reprocess.scope import Scope
from reprocess.spec import effective_spec
from reprocess.staleness import count_channel
from videos.models import EmbeddingSpace


def plan_run(scope: Scope, *, force: bool) -> Plan:
    """Return what a run over the scope would do; writes nothing and calls no model. ScopeNotFound for an unknown id."""
    scope.require_existing()
    spec = effective_spec()
    wanted = {configured.fingerprint(channel) for configured, channel in spec.channels()}
    spaces = {space.fingerprint: space for space in EmbeddingSpace.objects.filter(fingerprint__in=wanted)}
    channels: list[ChannelPlan] = []
    for configured, channel in spec.channels():
        counts = count_channel(
            scope.scenes(),
            configured.step.name,
            channel,
            spaces.get(configured.fingerprint(channel)),
            embedder(configured.step.embedder_alias).batch_size,
            force=force,
        )
        channels.append(plan_channel(counts, force=force))
    return Plan(spec.version, spec.digest, scope.videos().count(), tuple(channels))
