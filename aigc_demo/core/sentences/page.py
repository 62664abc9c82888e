"""Settings, the page and its server, and the step-by-step GAN."""

from aigc_demo.core.languages import Row

PAGE_SENTENCES: dict[str, Row] = {
    # settings
    "unknown_setting": (
        "There is no setting named {name} here; there are: {known}.",
        "这里没有名为 {name} 的设置；有：{known}。",
        "這裡沒有名為 {name} 的設定；有：{known}。",
    ),
    "setting_type": (
        "{name} must be {expected}, got {got}.",
        "{name} 必须是{expected}，得到的是 {got}。",
        "{name} 必須是{expected}，得到的是 {got}。",
    ),
    "setting_range": (
        "{name} must be {expected}, got {got}.",
        "{name} 必须{expected}，得到的是 {got}。",
        "{name} 必須{expected}，得到的是 {got}。",
    ),
    "heads_do_not_divide": (
        "hidden_size {hidden_size} cannot be shared by {num_heads} heads; choose a multiple.",
        "hidden_size {hidden_size} 不能由 {num_heads} 个头平分；请选它的倍数。",
        "hidden_size {hidden_size} 不能由 {num_heads} 個頭平分；請選它的倍數。",
    ),
    # the server
    "root_path": (
        "GRADIO_ROOT_PATH is {name}; give a path such as /demo, or a whole address with http or https.",
        "GRADIO_ROOT_PATH 是 {name}；请给出 /demo 这样的路径，或以 https 开头的完整地址。",
        "GRADIO_ROOT_PATH 是 {name}；請給出 /demo 這樣的路徑，或以 https 開頭的完整位址。",
    ),
    "server_name": (
        "GRADIO_SERVER_NAME is {name}, which is no address of this machine; give one that is.",
        "环境变量 GRADIO_SERVER_NAME 为 {name}，它不是本机的地址；请给出本机的地址。",
        "環境變數 GRADIO_SERVER_NAME 為 {name}，它不是本機的位址；請給出本機的位址。",
    ),
    # the page
    "text_too_long": (
        "{name} has {got} characters; give at most {limit}.",
        "{name} 有 {got} 个字符；请最多给 {limit} 个。",
        "{name} 有 {got} 個字元；請最多給 {limit} 個。",
    ),
    "text_not_unicode": (
        "{name} holds half of a character; paste it again as plain text.",
        "{name} 含有不成对的半个字符；请以纯文本重新粘贴。",
        "{name} 含有不成對的半個字元；請以純文字重新貼上。",
    ),
    "text_empty": (
        "There is no text to measure; paste some.",
        "没有可测量的文字；请粘贴一段。",
        "沒有可測量的文字；請貼上一段。",
    ),
    "nothing_to_write": (
        "There is no run yet whose checkpoint could write; start one.",
        "还没有可以续写的训练；请先开始一个。",
        "還沒有可以續寫的訓練；請先開始一個。",
    ),
    "no_upload": (
        "There is no file yet; choose one first.",
        "还没有选文件；请先选一个。",
        "還沒有選檔案；請先選一個。",
    ),
    "no_such_token": (
        "There is no token number {got} here; there are {count}.",
        "这里没有第 {got} 个词元；共有 {count} 个。",
        "這裡沒有第 {got} 個詞元；共有 {count} 個。",
    ),
    "token_not_in_vocabulary": (
        "Token {got} is not in the vocabulary of {model}, which has {count}.",
        "词元 {got} 不在 {model} 的词表中，词表共 {count} 个。",
        "詞元 {got} 不在 {model} 的詞表中，詞表共 {count} 個。",
    ),
    "no_attention": (
        "{model} does not give its attention weights; choose one of our own models.",
        "{model} 不给出注意力权重；请选一个我们自己的模型。",
        "{model} 不給出注意力權重；請選一個我們自己的模型。",
    ),
    "still_writing": (
        "What was asked for last is still being generated; press Stop, or wait until it is finished.",
        "上一次要的还没有做完；请按“停止”，或等它完成。",
        "上一次要的還沒有做完；請按「停止」，或等它完成。",
    ),
    "nothing_generated": (
        "There is no text yet; press Generate first.",
        "还没有文字；请先按“生成”。",
        "還沒有文字；請先按「生成」。",
    ),
    "column_failed": (
        "{model} failed unexpectedly, the server's log says why; try again or choose another model.",
        "{model} 意外失败，详情见服务器日志；请再试一次，或换一个模型。",
        "{model} 意外失敗，詳情見伺服器日誌；請再試一次，或換一個模型。",
    ),
    # step-by-step GAN
    "step_by_step_put_away": (
        "Your GAN was removed, because nothing was pressed for {minutes} minutes or {limit} others came; press New GAN.",
        "您的 GAN 已被移除：{minutes} 分钟没有操作，或另有 {limit} 位访客在用；请按“新的 GAN”。",
        "您的 GAN 已被移除：{minutes} 分鐘沒有操作，或另有 {limit} 位訪客在用；請按「新的 GAN」。",
    ),
    "step_by_step_too_long": (
        "A step-by-step GAN is trained for at most {limit} steps; press New GAN.",
        "逐步训练至多 {limit} 步；请按“新的 GAN”。",
        "逐步訓練至多 {limit} 步；請按「新的 GAN」。",
    ),
    "step_by_step_not_finite": (
        "After step {step} the numbers are no longer finite; press New GAN and choose lower learning rates.",
        "第 {step} 步之后，数值已不是有限数；请按“新的 GAN”，并选较小的学习率。",
        "第 {step} 步之後，數值已不是有限數；請按「新的 GAN」，並選較小的學習率。",
    ),
}
