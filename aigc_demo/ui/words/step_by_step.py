"""The words of the game of a GAN, in the order of `wording.LANGUAGES`."""

GAME_WORDS: dict[str, tuple[str, str, str]] = {
    "game": ("Play the game", "亲手走一局", "親手走一局"),
    "game_intro": (
        "A small generator G and a small discriminator D, move by move. D wants the value of the game, V(D, G), "
        "as large as it can be; G wants it small. Let one of them move, and see the formula with its numbers. Each "
        "step is played with 16 other pictures of the tiny world; those of the last step stay on the table.",
        "一个小的生成器 G 和一个小的判别器 D，一步一步地走。D 想让博弈的值 V(D, G) 尽量大，G 想让它小。"
        "让其中一方走一步，就能看到代入了数值的公式。每步用小世界的另外 16 张图片；上一步的图片留在桌上。",
        "一個小的生成器 G 和一個小的判別器 D，一步一步地走。D 想讓博弈的值 V(D, G) 盡量大，G 想讓它小。"
        "讓其中一方走一步，就能看到代入了數值的公式。每步用小世界的另外 16 張圖片；上一步的圖片留在桌上。",
    ),
    "game_loss": ("Loss", "损失函数", "損失函數"),
    "game_loss_info": ("Counts from the next step on", "从下一步起生效", "從下一步起生效"),
    "game_loss_minimax": ("minimax", "极小极大", "極小極大"),
    "game_loss_non_saturating": ("non-saturating", "非饱和", "非飽和"),
    "game_loss_hinge": ("hinge", "铰链（hinge）", "鉸鏈（hinge）"),
    "game_generator_rate": ("Learning rate of G", "G 的学习率", "G 的學習率"),
    "game_discriminator_rate": ("Learning rate of D", "D 的学习率", "D 的學習率"),
    "game_rate_info": ("0 to 0.01", "0 到 0.01", "0 到 0.01"),
    "game_seed_info": (
        "Counts from the next new game on",
        "从下一场新的对局起生效",
        "從下一場新的對局起生效",
    ),
    "game_times": ("Steps with one press", "每按一次走几步", "每按一次走幾步"),
    "game_step_discriminator": ("D moves", "D 走", "D 走"),
    "game_step_generator": ("G moves", "G 走", "G 走"),
    "game_step_both": ("D moves, then G", "D 走，然后 G 走", "D 走，然後 G 走"),
    "game_new": ("New game", "新的对局", "新的對局"),
    "game_empty": (
        "Nobody has moved yet. Press New game to see the first 16 pictures, or let one of the two move.",
        "还没有人走过。按“新的对局”可看最初的 16 张图片，或让其中一方先走。",
        "還沒有人走過。按「新的對局」可看最初的 16 張圖片，或讓其中一方先走。",
    ),
    "game_state": (
        "Steps so far: {steps}. Means now: D(x) = {real}, D(G(z)) = {fake}.",
        "已走 {steps} 步。现在的平均值：D(x) = {real}，D(G(z)) = {fake}。",
        "已走 {steps} 步。現在的平均值：D(x) = {real}，D(G(z)) = {fake}。",
    ),
    "game_number": ("Number", "数", "數"),
    "game_before": ("Before the last step", "上一步之前", "上一步之前"),
    "game_by_scores": ("Now, as training computes it", "现在，按训练的算法", "現在，按訓練的演算法"),
    "game_by_probs": (
        "Now, from the D under the pictures",
        "现在，由图片下的 D 直接算",
        "現在，由圖片下的 D 直接算",
    ),
    "game_difference": ("Difference of the two", "两者之差", "兩者之差"),
    "game_mean_log_real": ("mean of log D(x)", "log D(x) 的平均", "log D(x) 的平均"),
    "game_mean_log_fake": ("mean of log(1 − D(G(z)))", "log(1 − D(G(z))) 的平均", "log(1 − D(G(z))) 的平均"),
    "game_value": ("their sum, V(D, G)", "两者之和 V(D, G)", "兩者之和 V(D, G)"),
    "game_discriminator_loss": ("loss of D", "D 的损失", "D 的損失"),
    "game_generator_loss": ("loss of G", "G 的损失", "G 的損失"),
    "game_real": ("Real pictures x", "真图片 x", "真圖片 x"),
    "game_real_about": ("under each: D(x)", "每张下面是 D(x)", "每張下面是 D(x)"),
    "game_real_name": (
        "real picture {number}, D(x) = {prob}",
        "真图片 {number}，D(x) = {prob}",
        "真圖片 {number}，D(x) = {prob}",
    ),
    "game_fake": ("Made pictures G(z)", "生成的图片 G(z)", "生成的圖片 G(z)"),
    "game_fake_about": ("under each: D(G(z))", "每张下面是 D(G(z))", "每張下面是 D(G(z))"),
    "game_fake_name": (
        "made picture {number}, D(G(z)) = {prob}",
        "生成的图片 {number}，D(G(z)) = {prob}",
        "生成的圖片 {number}，D(G(z)) = {prob}",
    ),
    "game_heat": ("What reaches G", "传到 G 的梯度", "傳到 G 的梯度"),
    "game_heat_about": (
        "the gradient of G's loss by every pixel, |d L_G / d G(z)|, channels added; under each its largest",
        "G 的损失对每个像素的梯度 |d L_G / d G(z)|，各通道相加；每张下面是其最大值",
        "G 的損失對每個像素的梯度 |d L_G / d G(z)|，各通道相加；每張下面是其最大值",
    ),
    "game_heat_name": (
        "gradient in made picture {number}, at most {most}",
        "生成的图片 {number} 上的梯度，最大 {most}",
        "生成的圖片 {number} 上的梯度，最大 {most}",
    ),
    "game_history_empty": (
        "After the first step, the course of the game is drawn here.",
        "走过第一步后，这里会画出对局的过程。",
        "走過第一步後，這裡會畫出對局的過程。",
    ),
    "game_probs_chart": ("How sure D is, step by step", "D 逐步的把握", "D 逐步的把握"),
    "game_probs_axis": ("mean of D", "D 的平均", "D 的平均"),
    "game_losses_chart": ("The two losses, step by step", "两个损失的变化", "兩個損失的變化"),
    "game_loss_axis": ("loss", "损失", "損失"),
    "game_steps_axis": ("steps", "步数", "步數"),
    "game_line_real": ("D(x), real pictures", "D(x)，真图片", "D(x)，真圖片"),
    "game_line_fake": ("D(G(z)), made ones", "D(G(z))，生成的图片", "D(G(z))，生成的圖片"),
    "twins": (
        "Twin GANs: why not minimax?",
        "双生 GAN：为什么不用极小极大？",
        "雙生 GAN：為什麼不用極小極大？",
    ),
    "twins_intro": (
        "Two GANs that are born with the same weights and play with the same pictures and the same noise. "
        "One generator makes log(1 − D(G(z))) small (minimax), the other −log D(G(z)) (non-saturating). "
        "As soon as D is sure, D(G(z)) is near 0: there the slope of the first is near 0 and its generator "
        "hears nothing, while the slope of the second is near −1. The learning rates above count here too; "
        "with a larger one for D it happens sooner.",
        "两个 GAN 生来权重相同，用同样的图片和同样的噪声来走。一个生成器让 log(1 − D(G(z))) 变小（极小极大），"
        "另一个让 −log D(G(z)) 变小（非饱和）。D 一旦有把握，D(G(z)) 就接近 0：在那里前者的斜率接近 0，"
        "它的生成器什么也听不到，而后者的斜率接近 −1。上面的学习率在这里同样生效；D 的学习率越大，来得越早。",
        "兩個 GAN 生來權重相同，用同樣的圖片和同樣的雜訊來走。一個生成器讓 log(1 − D(G(z))) 變小（極小極大），"
        "另一個讓 −log D(G(z)) 變小（非飽和）。D 一旦有把握，D(G(z)) 就接近 0：在那裡前者的斜率接近 0，"
        "它的生成器什麼也聽不到，而後者的斜率接近 −1。上面的學習率在這裡同樣生效；D 的學習率越大，來得越早。",
    ),
    "twins_step": ("Both twins move", "双生一起走", "雙生一起走"),
    "twins_new": ("New twins", "新的双生", "新的雙生"),
    "twins_empty": (
        "Press a button: the curves of the two losses appear here, and where each twin stands on them.",
        "按一个按钮：这里会出现两条损失曲线，以及双生各自所在的位置。",
        "按一個按鈕：這裡會出現兩條損失曲線，以及雙生各自所在的位置。",
    ),
    "twins_loss_chart": (
        "G's loss; the dots are the twins",
        "G 的损失；圆点是双生所在之处",
        "G 的損失；圓點是雙生所在之處",
    ),
    "twins_slope_chart": (
        "Its slope by D's score: what G hears",
        "它对判别分数的斜率：G 听到多少",
        "它對判別分數的斜率：G 聽到多少",
    ),
    "twins_slope_axis": ("slope", "斜率", "斜率"),
    "twins_gradient_chart": (
        "Gradient of G over D(G(z)), step by step",
        "G 的梯度随 D(G(z)) 变化，每步一点",
        "G 的梯度隨 D(G(z)) 變化，每步一點",
    ),
    "twins_course_chart": ("Gradient of G, step by step", "G 的梯度逐步变化", "G 的梯度逐步變化"),
    "twins_gradient_axis": ("length of the gradient", "梯度的长度", "梯度的長度"),
    "twins_prob_axis": ("mean of D(G(z))", "D(G(z)) 的平均", "D(G(z)) 的平均"),
    "twins_line_minimax": (
        "minimax, log(1 − D(G(z)))",
        "极小极大，log(1 − D(G(z)))",
        "極小極大，log(1 − D(G(z)))",
    ),
    "twins_line_non_saturating": (
        "non-saturating, −log D(G(z))",
        "非饱和，−log D(G(z))",
        "非飽和，−log D(G(z))",
    ),
}
