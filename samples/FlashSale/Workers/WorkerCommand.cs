using System.Text.Json.Serialization;

namespace FlashSale.Workers;

/// <summary>What a worker is told, a line of JSON each.</summary>
[JsonDerivedType(typeof(HoldRound), nameof(HoldRound))]
[JsonDerivedType(typeof(GoOn), nameof(GoOn))]
internal abstract record WorkerCommand;
