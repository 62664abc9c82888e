"""Runs that visitors order: the queue, its limits, uploads and exports, processes that end."""

from aigc_demo.core.languages import Row

RUN_QUEUE_SENTENCES: dict[str, Row] = {
    "training_off": (
        "Training is switched off on this server; fork the project or run it at home to train.",
        "这台服务器关闭了训练；想训练的话，请复制本项目，或在自己的电脑上运行。",
        "這台伺服器關閉了訓練；想訓練的話，請複製本專案，或在自己的電腦上執行。",
    ),
    "unknown_run": (
        "There is no run named {name}; the list shows those that there are.",
        "没有名为 {name} 的训练；列表中是现有的训练。",
        "沒有名為 {name} 的訓練；列表中是現有的訓練。",
    ),
    "not_your_run": (
        "The run {name} was started by somebody else; watch it, or start one of your own.",
        "训练 {name} 是别人开始的；可以旁观，或自己新开一次。",
        "訓練 {name} 是別人開始的；可以旁觀，或自己新開一次。",
    ),
    "run_under_way": (
        "The run {name} has not ended; stop it first.",
        "训练 {name} 尚未结束；请先停止它。",
        "訓練 {name} 尚未結束；請先停止它。",
    ),
    "nothing_to_resume": (
        "The run {name} ended before its first checkpoint; start a new one.",
        "训练 {name} 在第一个检查点之前就结束了；请新开一次。",
        "訓練 {name} 在第一個檢查點之前就結束了；請新開一次。",
    ),
    "too_many_runs": (
        "You have {count} runs that train or wait; stop one of them, or wait until one has ended.",
        "您已有 {count} 次训练正在进行或排队；请停止其中一次，或等其中一次结束。",
        "您已有 {count} 次訓練正在進行或排隊；請停止其中一次，或等其中一次結束。",
    ),
    "too_many_calls": (
        "{count} calls wait already; try again in a moment.",
        "已有 {count} 个请求在排队，请稍后再试。",
        "已有 {count} 個請求在排隊，請稍後再試。",
    ),
    "too_many_calls_of_one": (
        "{count} calls from your network are under way already; wait until one has ended.",
        "您所在的网络已有 {count} 个请求正在处理；请等其中一个结束。",
        "您所在的網路已有 {count} 個請求正在處理；請等其中一個結束。",
    ),
    "nobody_read": (
        "Nobody read the answers of this call, and another one waited; call again and read on.",
        "这次请求的结果没有人读取，而另一个请求在等待；请重新请求并及时读取。",
        "這次請求的結果沒有人讀取，而另一個請求在等待；請重新請求並及時讀取。",
    ),
    "queue_full": (
        "{count} runs wait already; try again when some of them have ended.",
        "已有 {count} 次训练在排队；请等其中几次结束后再试。",
        "已有 {count} 次訓練在排隊；請等其中幾次結束後再試。",
    ),
    "too_many_runs_of_network": (
        "{count} runs from your network train or wait; wait until one has ended.",
        "您所在的网络已有 {count} 次训练正在进行或排队；请等其中一次结束。",
        "您所在的網路已有 {count} 次訓練正在進行或排隊；請等其中一次結束。",
    ),
    "run_minutes": (
        "A run may train for {limit} minutes here at the most; ask for less.",
        "这里每次训练最多 {limit} 分钟；请减少时间。",
        "這裡每次訓練最多 {limit} 分鐘；請減少時間。",
    ),
    "minutes_used": (
        "Your network has {left} of its {limit} minutes of training in 24 hours left; ask for less, or come back later.",
        "您所在的网络在 24 小时内可训练 {limit} 分钟，还剩 {left} 分钟；请减少时间，或稍后再来。",
        "您所在的網路在 24 小時內可訓練 {limit} 分鐘，還剩 {left} 分鐘；請減少時間，或稍後再來。",
    ),
    "minutes_waiting": (
        "Runs that want {minutes} minutes train or wait already; try again when some have ended.",
        "正在进行或排队的训练共需 {minutes} 分钟；请等其中几次结束后再试。",
        "正在進行或排隊的訓練共需 {minutes} 分鐘；請等其中幾次結束後再試。",
    ),
    "run_needs_disk": (
        "This run would take {needed} MiB of disk, and one may take {limit} MiB here; ask for a smaller model or fewer checkpoints.",
        "这次训练将占用 {needed} MiB 磁盘，而这里每次限 {limit} MiB；请选更小的模型或更少的检查点。",
        "這次訓練將佔用 {needed} MiB 磁碟，而這裡每次限 {limit} MiB；請選更小的模型或更少的檢查點。",
    ),
    "run_disk_full": (
        "The run has taken {used} MiB of disk, more than the {limit} MiB that it may; its checkpoints are whole.",
        "这次训练已占用 {used} MiB 磁盘，超过了允许的 {limit} MiB；已有的检查点都完整。",
        "這次訓練已佔用 {used} MiB 磁碟，超過了允許的 {limit} MiB；已有的檢查點都完整。",
    ),
    "disk_budget": (
        "Your runs take {used} MiB, this one would take up to {needed} more, and a visitor has {limit}; delete one of them.",
        "您的训练已占用 {used} MiB，这一次最多还需 {needed} MiB，每位访客限 {limit} MiB；请删除其中一次。",
        "您的訓練已佔用 {used} MiB，這一次最多還需 {needed} MiB，每位訪客限 {limit} MiB；請刪除其中一次。",
    ),
    "disk_of_network": (
        "The runs of your network take {used} MiB, this one would take up to {needed} more, and it has {limit}; delete one of yours.",
        "您所在网络的训练已占用 {used} MiB，这一次最多还需 {needed} MiB，限 {limit} MiB；请删除您的一次训练。",
        "您所在網路的訓練已佔用 {used} MiB，這一次最多還需 {needed} MiB，限 {limit} MiB；請刪除您的一次訓練。",
    ),
    "disk_of_all": (
        "All runs take {used} MiB, this one would take up to {needed} more, and there are {limit}; delete one of yours, or try again later.",
        "所有训练已占用 {used} MiB，这一次最多还需 {needed} MiB，共有 {limit} MiB；请删除您的一次训练，或稍后再试。",
        "所有訓練已佔用 {used} MiB，這一次最多還需 {needed} MiB，共有 {limit} MiB；請刪除您的一次訓練，或稍後再試。",
    ),
    "no_such_network": (
        "These settings make no network of {recipe}; change one of them, such as its sizes.",
        "这些设置组不成 {recipe} 的网络；请更改其中一项，例如各种尺寸。",
        "這些設定組不成 {recipe} 的網路；請更改其中一項，例如各種尺寸。",
    ),
    "uploads_of_network": (
        "Your network has uploaded {used} of the {limit} MiB that it may in an hour; try again later.",
        "您所在的网络一小时内可上传 {limit} MiB，已上传 {used} MiB；请稍后再试。",
        "您所在的網路一小時內可上傳 {limit} MiB，已上傳 {used} MiB；請稍後再試。",
    ),
    "uploads_of_all": (
        "{used} of {limit} MiB that may be uploaded in an hour are used; try again later.",
        "一小时内总共可上传 {limit} MiB，已用 {used} MiB；请稍后再试。",
        "一小時內總共可上傳 {limit} MiB，已用 {used} MiB；請稍後再試。",
    ),
    "disk_slow": (
        "The disk with the runs does not answer at the moment; try again in a minute.",
        "存放训练的磁盘暂时没有响应，请过一分钟再试。",
        "存放訓練的磁碟暫時沒有回應，請過一分鐘再試。",
    ),
    "other_desk": (
        "Another server manages the runs in {path}; end it, or give this one a folder of its own.",
        "另一个服务器正在管理 {path} 中的训练；请结束它，或给本服务器另一个文件夹。",
        "另一個伺服器正在管理 {path} 中的訓練；請結束它，或給本伺服器另一個資料夾。",
    ),
    "nothing_to_export": (
        "The run {name} has no checkpoint yet; wait for its first one.",
        "训练 {name} 还没有检查点；请等第一个检查点。",
        "訓練 {name} 還沒有檢查點；請等第一個檢查點。",
    ),
    "not_an_export": (
        "This file is not an exported run ({detail}); give a zip file that Download made.",
        "这个文件不是导出的训练（{detail}）；请给出“下载训练”得到的 zip 文件。",
        "這個檔案不是匯出的訓練（{detail}）；請給出「下載訓練」得到的 zip 檔案。",
    ),
    "loss_not_finite": (
        "At step {step} the loss was no longer a number; the last checkpoint is good. Start a new run with a lower learning_rate.",
        "在第 {step} 步损失不再是数；最后一个检查点是好的。请用较小的 learning_rate 新开一次。",
        "在第 {step} 步損失不再是數；最後一個檢查點是好的。請用較小的 learning_rate 新開一次。",
    ),
    "worker_silent": (
        "The training did not answer for {seconds} seconds and was ended; resume it.",
        "训练 {seconds} 秒没有响应，已被结束；请继续它。",
        "訓練 {seconds} 秒沒有回應，已被結束；請繼續它。",
    ),
    "worker_killed": (
        "The training was killed from outside, or the machine ran out of memory; resume it, with a smaller batch_size if it happens again.",
        "训练被外部终止，或内存不足；请继续它，若再次发生请减小 batch_size。",
        "訓練被外部終止，或記憶體不足；請繼續它，若再次發生請減小 batch_size。",
    ),
    "upload_gone": (
        "The uploaded file is no longer here, since uploads are kept for an hour; upload it again.",
        "上传的文件已不在这里（只保留一小时）；请重新上传。",
        "上傳的檔案已不在這裡（只保留一小時）；請重新上傳。",
    ),
    "cannot_start": (
        "This run cannot be started: the system takes no such command; queue it anew.",
        "这次训练无法启动：系统不接受这样的命令；请重新提交。",
        "這次訓練無法啟動：系統不接受這樣的命令；請重新提交。",
    ),
    "worker_vanished": (
        "The training ended without an error message, perhaps with its machine; resume it.",
        "训练没有报错就结束了，也许是机器停了；请继续它。",
        "訓練沒有報錯就結束了，也許是機器停了；請繼續它。",
    ),
    "out_of_memory": (
        "There was not enough memory; lower batch_size or make the model smaller.",
        "内存不足；请减小 batch_size 或模型。",
        "記憶體不足；請減小 batch_size 或模型。",
    ),
    "needs_memory": (
        "This training needs at least {needed} MiB of memory, {over} MiB more than the {limit} MiB there are; lower batch_size or make the model smaller.",
        "这次训练至少需要 {needed} MiB 内存，比现有的 {limit} MiB 多 {over} MiB；请减小 batch_size 或模型。",
        "這次訓練至少需要 {needed} MiB 記憶體，比現有的 {limit} MiB 多 {over} MiB；請減小 batch_size 或模型。",
    ),
    "needs_disk": (
        "The checkpoints take {needed} MiB, and {path} has {free} MiB free; make the model smaller, or choose another directory.",
        "检查点需要 {needed} MiB，而 {path} 只剩 {free} MiB；请减小模型，或换一个目录。",
        "檢查點需要 {needed} MiB，而 {path} 只剩 {free} MiB；請減小模型，或換一個目錄。",
    ),
    "preflight_too_slow": (
        "After {seconds} seconds the trial had not done its few steps; lower batch_size or make the model smaller.",
        "{seconds} 秒后试训仍未做完那几步；请减小 batch_size 或模型。",
        "{seconds} 秒後試訓仍未做完那幾步；請減小 batch_size 或模型。",
    ),
}
