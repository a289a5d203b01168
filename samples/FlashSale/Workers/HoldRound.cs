using FlashSale.Rounds;

namespace FlashSale.Workers;

internal sealed record HoldRound(RoundPlan Plan) : WorkerCommand;
