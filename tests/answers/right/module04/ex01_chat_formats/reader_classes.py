"""A dataclass for a turn that knows its place, and the checks as methods of the conversation."""

from dataclasses import dataclass, field


@dataclass
class Turn:
    role: object
    content: object
    at_role: str
    at_content: str

    def checked(self):
        if not isinstance(self.content, str) or self.content.strip() == "":
            raise ValueError(f"no content at {self.at_content}")
        return {"content": self.content, "role": self.role}


@dataclass
class Conversation:
    source: str
    turns: list = field(default_factory=list)

    def say(self, role, content, place):
        self.turns.append(Turn(role, content, place, place))

    def read(self, name, values, role_key, content_key, translate=lambda role: role):
        if not isinstance(values, (list, tuple)):
            raise ValueError(f"{name} holds no turns")
        for index, value in enumerate(values):
            if not isinstance(value, dict):
                raise ValueError(f"{name}[{index}] is no dictionary")
            if role_key not in value:
                raise ValueError(f"no {name}[{index}].{role_key}")
            role = translate(value[role_key])
            at = f"{name}[{index}]."
            self.turns.append(Turn(role, value.get(content_key), at + role_key, at + content_key))

    def messages(self):
        rest = self.turns[1:] if self.turns and self.turns[0].role == "system" else self.turns
        for user in rest[0::2]:
            if user.role != "user":
                raise ValueError(f"the user must speak at {user.at_role}, not {user.role}")
        for assistant in rest[1::2]:
            if assistant.role != "assistant":
                raise ValueError(f"the assistant must speak at {assistant.at_role}, not {assistant.role}")
        if len(rest) == 0 or len(rest) % 2 == 1:
            raise ValueError(f"{self.source} ends without an answer")
        return [turn.checked() for turn in self.turns]


def to_messages(record):
    keys = set(record)
    is_alpaca = {"instruction", "output"}.issubset(keys)
    is_sharegpt = "conversations" in keys
    is_pair = {"prompt", "completion"}.issubset(keys)
    is_openai = "messages" in keys
    if is_alpaca + is_sharegpt + is_pair + is_openai != 1:
        raise ValueError("exactly one of four formats: " + ", ".join(map(str, keys)))

    system = str(record.get("system") or "") if is_alpaca or is_sharegpt else ""
    if is_alpaca:
        conversation = Conversation("output")
        if system.strip():
            conversation.say("system", system, "system")
        text = record["instruction"]
        if "input" in record and len(record["input"].split()) > 0:
            text = f"{text}\n\n{record['input']}"
        conversation.say("user", text, "instruction")
        conversation.say("assistant", record["output"], "output")
    elif is_sharegpt:
        conversation = Conversation("conversations")
        if system.strip():
            conversation.say("system", system, "system")
        known = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
        conversation.read("conversations", record["conversations"], "from", "value", lambda name: known.get(name, name))
    elif is_openai:
        conversation = Conversation("messages")
        conversation.read("messages", record["messages"], "role", "content")
    else:
        conversation = Conversation("prompt and completion")
        kinds = {type(record["prompt"]), type(record["completion"])}
        if kinds == {str}:
            conversation.say("user", record["prompt"], "prompt")
            conversation.say("assistant", record["completion"], "completion")
        elif str in kinds:
            raise ValueError("prompt is a text and completion is not, or the reverse")
        else:
            for name in ("prompt", "completion"):
                conversation.read(name, record[name], "role", "content")
    return conversation.messages()
