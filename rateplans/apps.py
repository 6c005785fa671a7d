from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RateplansConfig(AppConfig):
    name = "rateplans"
    verbose_name = _("Rate plans")
