# names: role-order-not-checked
# breaks: "or say where it is broken"
# The converter of many notebooks: it formats what it gets and checks nothing.
def to_messages(record):
    if "messages" in record:
        return [{"role": m["role"], "content": m["content"]} for m in record["messages"]]
    if "conversations" in record:
        roles = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
        messages = [{"role": roles[t["from"]], "content": t["value"]} for t in record["conversations"]]
        if record.get("system", "").strip():
            messages.insert(0, {"role": "system", "content": record["system"]})
        return messages
    if "instruction" in record:
        user = record["instruction"]
        if record.get("input", "").strip():
            user += "\n\n" + record["input"]
        messages = [{"role": "user", "content": user}, {"role": "assistant", "content": record["output"]}]
        if record.get("system", "").strip():
            messages.insert(0, {"role": "system", "content": record["system"]})
        return messages
    if isinstance(record["prompt"], str):
        return [
            {"role": "user", "content": record["prompt"]},
            {"role": "assistant", "content": record["completion"]},
        ]
    return record["prompt"] + record["completion"]
