from rateplans.models.number_class import NumberClass
from rateplans.models.plan import RatePlan

__all__ = ["NumberClass", "RatePlan"]
