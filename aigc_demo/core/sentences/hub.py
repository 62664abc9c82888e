"""The Hugging Face Hub: models from it, and models pushed to it."""

from aigc_demo.core.languages import Row

HUB_SENTENCES: dict[str, Row] = {
    # models of the Hub
    "hub_name": (
        "{name} does not say exactly which model; write hf:owner/name@commit with all 40 digits of the commit.",
        "{name} 没有说清是哪个模型；请写 hf:owner/name@commit，commit 须写全 40 位。",
        "{name} 沒有說清是哪個模型；請寫 hf:owner/name@commit，commit 須寫全 40 位。",
    ),
    "not_reachable": (
        "{name} is neither on this machine nor can the Hub be reached; run `python -m aigc_demo fetch {name}` where there is a network, name a mirror in HF_ENDPOINT, or choose another model.",
        "{name} 不在本机，也连不上 Hub；请在有网络处运行 `python -m aigc_demo fetch {name}`，用 HF_ENDPOINT 指定镜像站，或换一个模型。",
        "{name} 不在本機，也連不上 Hub；請在有網路處執行 `python -m aigc_demo fetch {name}`，用 HF_ENDPOINT 指定鏡像站，或換一個模型。",
    ),
    "hub_address": (
        "HF_ENDPOINT holds no address of the Hub or of a mirror; write it like https://hub.example.edu, or take it out of the environment.",
        "环境变量 HF_ENDPOINT 不是 Hub 或镜像站的地址；请写出完整的网址（例如以 https 开头的镜像站地址），或删去该变量。",
        "環境變數 HF_ENDPOINT 不是 Hub 或鏡像站的位址；請寫出完整的網址（例如以 https 開頭的鏡像站位址），或刪去該變數。",
    ),
    "hub_proxy": (
        "The Hub cannot be reached, and {variable} names no proxy that can be used; write one like proxy.example.edu:8080 (SOCKS is not supported), or take it out of the environment.",
        "连不上 Hub，且环境变量 {variable} 所写的代理不可用；请写成主机名加端口，如 proxy.example.edu:8080（不支持 SOCKS 代理），或删去该变量。",
        "連不上 Hub，且環境變數 {variable} 所寫的代理不可用；請寫成主機名稱加連接埠，如 proxy.example.edu:8080（不支援 SOCKS 代理），或刪去該變數。",
    ),
    "hub_proxy_silent": (
        "The Hub cannot be reached through the proxy that {variable} names; check that the proxy runs and lets this machine out, or take it out of the environment.",
        "通过环境变量 {variable} 指定的代理连不上 Hub；请检查代理是否在运行、是否允许本机访问外网，或删去该变量。",
        "透過環境變數 {variable} 指定的代理連不上 Hub；請檢查代理是否在執行、是否允許本機連到外網，或刪去該變數。",
    ),
    "not_on_hub": (
        "The Hub has no model {location} at commit {revision}; check the name and the commit.",
        "Hub 上没有 commit 为 {revision} 的模型 {location}；请检查名称和 commit。",
        "Hub 上沒有 commit 為 {revision} 的模型 {location}；請檢查名稱和 commit。",
    ),
    "not_in_safetensors": (
        "{name} has no weights in safetensors (a pickle can run code and is never read); choose another model.",
        "{name} 没有 safetensors 格式的权重（pickle 可执行代码，一律不读）；请换一个模型。",
        "{name} 沒有 safetensors 格式的權重（pickle 可執行程式碼，一律不讀）；請換一個模型。",
    ),
    "fetch_broke_off": (
        "Fetching {name} broke off ({detail}); run `python -m aigc_demo fetch {name}` again.",
        "下载 {name} 中断（{detail}）；请再运行 `python -m aigc_demo fetch {name}`。",
        "下載 {name} 中斷（{detail}）；請再執行 `python -m aigc_demo fetch {name}`。",
    ),
    # pushing a model to the Hub
    "no_token": (
        "There is no token of the Hub in the environment; set HF_TOKEN to one that may write, and start this again.",
        "环境中没有 Hub 的令牌；请把 HF_TOKEN 设为有写入权限的令牌，再重新启动。",
        "環境中沒有 Hub 的權杖；請把 HF_TOKEN 設為有寫入權限的權杖，再重新啟動。",
    ),
    "push_closed": (
        "This page is a Space, where every visitor would push with its owner's token, so it pushes nothing; download the model folder, or set AIGC_DEMO_PUSH=1 if nobody else can open it.",
        "本页是一个 Space，任何访客都会用其所有者的令牌推送，因此不推送；请下载模型文件夹，或在只有自己能打开时设置 AIGC_DEMO_PUSH=1。",
        "本頁是一個 Space，任何訪客都會用其擁有者的權杖推送，因此不推送；請下載模型資料夾，或在只有自己能開啟時設定 AIGC_DEMO_PUSH=1。",
    ),
    "repository_name": (
        "{name} is no name of a repository; write owner/name with letters, digits, -, _ and . alone.",
        "{name} 不是仓库名；请写成 owner/name，只用字母、数字、-、_ 和 .。",
        "{name} 不是儲存庫名稱；請寫成 owner/name，只用字母、數字、-、_ 和 .。",
    ),
    "token_refused": (
        "The Hub does not know the token in HF_TOKEN; make a new one that may write, and set it.",
        "Hub 不认得 HF_TOKEN 中的令牌；请新建一个有写入权限的令牌并设置。",
        "Hub 不認得 HF_TOKEN 中的權杖；請新建一個有寫入權限的權杖並設定。",
    ),
    "push_forbidden": (
        "The token in HF_TOKEN may not write to {name}; choose a repository of its owner, or a token with the right to write.",
        "HF_TOKEN 中的令牌不能写入 {name}；请选令牌所有者的仓库，或换一个有写入权限的令牌。",
        "HF_TOKEN 中的權杖不能寫入 {name}；請選權杖擁有者的儲存庫，或換一個有寫入權限的權杖。",
    ),
    "push_public": (
        "{name} is on the Hub already and everybody can see it; choose another name, or push with `python -m aigc_demo push` and --public.",
        "{name} 已在 Hub 上，且人人可见；请另选名称，或用 `python -m aigc_demo push` 加 --public 推送。",
        "{name} 已在 Hub 上，且人人可見；請另選名稱，或用 `python -m aigc_demo push` 加 --public 推送。",
    ),
    "push_not_reachable": (
        "The Hub cannot be reached, so nothing was pushed; try again where there is a network.",
        "连不上 Hub，什么也没有推送；请在有网络处再试。",
        "連不上 Hub，什麼也沒有推送；請在有網路處再試。",
    ),
    "push_broke_off": (
        "Pushing to {name} broke off ({detail}); push it again.",
        "推送到 {name} 时中断（{detail}）；请再推送一次。",
        "推送到 {name} 時中斷（{detail}）；請再推送一次。",
    ),
}
