"""The admin pages of reprocessing. Django imports this package when it collects the admin pages."""

from django.contrib import admin

from heimdex.accounts.models import User
from reprocess.admin.runs import ReprocessRunAdmin
from reprocess.admin.spec import EmbeddingSpecAdmin
from reprocess.admin.start_run import ReprocessingUserAdmin, ReprocessingVideoAdmin
from reprocess.models import EmbeddingSpec, ReprocessRun
from videos.models import Video

admin.site.register(ReprocessRun, ReprocessRunAdmin)
admin.site.register(EmbeddingSpec, EmbeddingSpecAdmin)
# `videos` and `accounts` must not import `reprocess`, so the actions that start runs are added here.
admin.site.unregister((Video, User))
admin.site.register(Video, ReprocessingVideoAdmin)
admin.site.register(User, ReprocessingUserAdmin)
