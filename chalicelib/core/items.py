"""An item between Python and what the client sends, in the fewest steps.

PynamoDB's own way to make, send and read an item goes through several descriptors and lookups for each attribute that
the class has, also for those that the item lacks; that is most of what a request costs beside botocore. These four give
what its own give, for items whose attributes are named as they are stored and have fixed defaults.
"""

from __future__ import annotations

from typing import Any, Self

from pynamodb.attributes import DiscriminatorAttribute
from pynamodb.exceptions import AttributeNullError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model


class Item(Model):
    """What the table's rows are made of."""

    kind: DiscriminatorAttribute

    def __init__(self, hash_key: Any = None, range_key: Any = None, **attributes: Any) -> None:
        given = {"pk": hash_key, "sk": range_key, **attributes, "kind": type(self)}
        self.attribute_values = {}
        for name, attribute in self.get_attributes().items():
            value = given.pop(name, attribute.default)
            if isinstance(value, dict):
                setattr(self, name, value)  # as a map, which has a class of its own
            elif value is not None:
                self.attribute_values[name] = value
        assert not given, f"not an attribute: {sorted(given)}"

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """What was read of an item, as the class that its kind names, if that was read.

        Raises: ValueError: it is of another kind.
        """
        named = data.get("kind")
        made: Any = cls.kind.deserialize(named["S"]) if named else cls  # type: ignore[no-untyped-call]
        if not issubclass(made, cls):
            raise ValueError(f"{made.__name__} is no {cls.__name__}")
        known = made.get_attributes()
        read = {name: known[name].deserialize(known[name].get_value(data[name])) for name in data if name in known}
        item: Self = made(**read)
        return item

    def serialize(self, null_check: bool = True) -> dict[str, dict[str, Any]]:
        """The item as it is sent. Raises: AttributeNullError: an attribute has no value that must have one."""
        sent = {}
        for name, attribute in self.get_attributes().items():
            value = self.attribute_values.get(name)
            if value is not None:
                sent[name] = {attribute.attr_type: attribute.serialize(value)}
            elif null_check and not attribute.null:
                raise AttributeNullError(name)
        return sent

    def get_save_kwargs_from_instance(
        self, condition: Condition | None = None, return_values_on_condition_failure: str | None = None
    ) -> dict[str, Any]:
        """What a transaction is told to put, and under which condition."""
        put: dict[str, Any] = {"TableName": self.Meta.table_name, "Item": self.serialize()}
        if condition is not None:
            names: dict[str, str] = {}
            values: dict[str, str] = {}
            put["ConditionExpression"] = condition.serialize(names, values)
            put["ExpressionAttributeNames"] = {short: name for name, short in names.items()}
            if values:
                put["ExpressionAttributeValues"] = values
        if return_values_on_condition_failure is not None:
            put["ReturnValuesOnConditionCheckFailure"] = return_values_on_condition_failure
        return put
