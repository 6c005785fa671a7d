from rateplans.models.custom_setting import CustomSetting
from rateplans.models.number_class import NumberClass
from rateplans.models.plan import RatePlan
from rateplans.models.price import PlanFeature, PlanMarkup, PlanPrice

__all__ = [
    "CustomSetting",
    "NumberClass",
    "PlanFeature",
    "PlanMarkup",
    "PlanPrice",
    "RatePlan",
]
